"""`python -m tests.clients.suite_server`: our own server over HTTP, with what the conformance suite expects to find."""

from tests.clients.fixtures import furnish

from paperspace_mcp.app import build
from paperspace_mcp.deployment import http_app, serve_http
from paperspace_mcp.settings import from_environment


def main() -> None:
    app = build(from_environment())
    furnish(app.server)
    serve_http(http_app(app, "127.0.0.1", [], stateless=False), "127.0.0.1", 0)


if __name__ == "__main__":
    main()
