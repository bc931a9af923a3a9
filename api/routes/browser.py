"""What the browser libraries of Segment and RudderStack ask for before they send anything."""

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.tracking import answers, auth, docs
from api.tracking.errors import Refusal
from api.tracking.ingest import Ingest
from storage.keys import digest

CACHED = {**answers.HEADERS, "Cache-Control": "public, max-age=60"}

router = APIRouter(route_class=docs.RawRoute, tags=["tracking"])


async def settings(request: Request) -> Response:
    """Segment's analytics.js: where to send, and that nothing else is to be loaded."""
    ingest: Ingest = request.app.state.ingest
    key: str = request.path_params["key"]
    if not await auth.accepts(ingest.keys, key):
        raise Refusal(404, "unknown_key", "this write key is not known")
    segment = {
        "apiKey": key,
        "apiHost": f"{request.url.netloc}/v1",
        "protocol": request.url.scheme,
        "unbundledIntegrations": [],
        "addBundledMetadata": True,
    }
    content = {
        "integrations": {"Segment.io": segment},
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "edgeFunction": {},
        "enabledMiddleware": {},
        "remotePlugins": [],
        "analyticsNextEnabled": True,
        "legacyVideoPluginsEnabled": False,
        "metrics": {"sampleRate": 0},
    }
    return answers.answer(request, 200, orjson.dumps(content), CACHED)


async def source_config(request: Request) -> Response:
    """RudderStack's SDK: a source that is enabled and has no destinations of its own."""
    ingest: Ingest = request.app.state.ingest
    keys = [key for key in auth.offered(request) if await auth.accepts(ingest.keys, key)]
    if not keys:
        raise Refusal(401, "unauthorized", "no valid write key: send it as ?writeKey=")
    off = {"enabled": False}
    source = {
        "id": digest(keys[0]).hex()[:24],
        "name": "parcours",
        "writeKey": keys[0],
        "enabled": True,
        "config": {"statsCollection": {"errors": off, "metrics": off}},
        "destinations": [],
        "connections": [],
        "dataplanes": {},
        "sourceDefinition": {"name": "Javascript", "displayName": "Javascript"},
    }
    content = {"isHosted": False, "source": source}
    return answers.answer(request, 200, orjson.dumps(content), answers.HEADERS)


for path in ("/v1/projects/{key}/settings", "/sourceConfig/", "/sourceConfig"):
    router.add_api_route(
        path,
        answers.answering(settings if "{key}" in path else source_config),
        methods=["GET"],
        name="settings" if "{key}" in path else "source_config",
        include_in_schema=path != "/sourceConfig",
    )
    router.add_api_route(path, answers.preflight, methods=["OPTIONS"], include_in_schema=False)
