# syntax=docker/dockerfile:1
FROM python:3.11-slim AS build
COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /usr/local/bin/uv
# Bytecode is compiled here: the server's start is import time, and the final image is not writable for its user.
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=/app
WORKDIR /src
# The dependencies first: they change less often than the server.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --locked --no-install-project
COPY server server
RUN uv sync --locked --no-editable

FROM python:3.11-slim
COPY --from=build /app /app
# The state: records of approvals and the key that seals questions. Mount a volume to keep it.
RUN mkdir --mode=0700 /state && chown 10001:10001 /state
ENV PATH=/app/bin:$PATH PAPERSPACE_MCP_STATE_DIR=/state HOME=/state PYTHONDONTWRITEBYTECODE=1
VOLUME /state
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["paperspace-mcp"]
# Reached as localhost only. Behind a name of its own: give that name with --allowed-host.
CMD ["serve", "--transport", "http", "--host", "0.0.0.0", "--port", "8000", "--allowed-host", "localhost"]
