# One image for the API, the workers and the migrations; the compose file says which a container is.
ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
# The dependencies first: they change seldom, and this layer is kept.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project
COPY . .
RUN uv sync --frozen --no-dev --no-editable

FROM python:${PYTHON}
RUN useradd --system --uid 10001 --no-create-home parcours
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PARCOURS_HTTP_HOST=0.0.0.0 \
    PARCOURS_LOG_FORMAT=json
WORKDIR /tmp
USER parcours
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health/ready', timeout=2)"]
ENTRYPOINT ["parcours"]
CMD ["api"]
