"""How workflow code is sandboxed in tests and replays: what of ours is shared with the outside.

The plans come from outside, with the steps they are made of, so those modules cannot be imported
anew; that they are pure is held by the import contracts. `workflows.journey`, `.durable`,
`.signals`, `.start` and `.asking` are what the sandbox watches.
"""

from temporalio.worker.workflow_sandbox import SandboxRestrictions

SHARED = ("clock", "expressions", "journeys", "pydantic", "pydantic_core", "workflows.plans")
RESTRICTIONS = SandboxRestrictions.default.with_passthrough_modules(*SHARED)
