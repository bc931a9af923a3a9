"""Where tracking clients post events: Segment's paths, long and short, Jitsu's, and CloudEvents."""

from collections.abc import Iterable

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.tracking import answers, docs
from api.tracking.answers import Endpoint
from api.tracking.errors import Refusal
from api.tracking.receive import Opener, open_batch, open_cloud, open_single, receive

SINGLES = {kind: open_single(kind) for kind in docs.EXAMPLES}
SHORT = {
    "t": "track",
    "i": "identify",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
}

router = APIRouter(route_class=docs.RawRoute, tags=["tracking"])


def endpoint(opener: Opener) -> Endpoint:
    """The endpoint of one fixed kind of body."""

    async def track(request: Request) -> Response:
        return await receive(request, opener)

    return answers.answering(track)


async def by_type(request: Request) -> Response:
    """Jitsu's: the kind is the last part of the path."""
    kind = request.path_params["type"]
    opener = {**SINGLES, "batch": open_batch}.get(kind)
    if opener is None:
        raise Refusal(404, "unknown_type", f"type {kind!r} is none of {', '.join(SINGLES)}")
    return await receive(request, opener)


def add(paths: Iterable[str], handler: Endpoint, example: dict[str, object], media: str) -> None:
    """Mount an endpoint; the first of its paths is the documented one."""
    for place, path in enumerate(paths):
        router.add_api_route(
            path,
            handler,
            methods=["POST"],
            name=path.rsplit("/", 1)[1] if "{" not in path else "jitsu",
            include_in_schema=place == 0,
            responses=docs.RESPONSES,
            openapi_extra=docs.described(media, example),
        )


# Routes are tried one after the other: the busiest stand first, what browsers ask once stands last.
JSON = "application/json"
add(["/v1/batch", "/v1/b"], endpoint(open_batch), docs.BATCH, JSON)
for short, kind in SHORT.items():
    add([f"/v1/{kind}", f"/v1/{short}"], endpoint(SINGLES[kind]), docs.EXAMPLES[kind], JSON)
add(
    ["/api/s/{type}", "/api/s/s2s/{type}"],
    answers.answering(by_type),
    docs.EXAMPLES["track"],
    JSON,
)
add(["/v1/cloudevents"], endpoint(open_cloud), docs.CLOUD_EVENT, "application/cloudevents+json")
add(["/v1/import"], endpoint(open_batch), docs.BATCH, JSON)
for path in [route.path for route in router.routes if isinstance(route, docs.RawRoute)]:
    router.add_api_route(path, answers.preflight, methods=["OPTIONS"], include_in_schema=False)
