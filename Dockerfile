# The gateway in a container: not as root, and nothing but its volumes needs to be written.
#   docker build -t spillover . && docker compose up -d      (docs/operations.md)

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/build && python -m venv --without-pip /opt/spillover
WORKDIR /src
COPY requirements/run.txt requirements/build.txt requirements/
# Each package is the one that was locked, by its hash; ours is built from this checkout.
RUN /opt/build/bin/pip install --no-deps --require-hashes -r requirements/build.txt \
    && /opt/build/bin/pip --python /opt/spillover/bin/python install --no-deps --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /tmp/wheel . \
    && /opt/build/bin/pip --python /opt/spillover/bin/python install --no-deps /tmp/wheel/*.whl

FROM python:3.12-slim
RUN groupadd --gid 10001 spillover \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /state --shell /usr/sbin/nologin spillover \
    && install -d -o spillover -g spillover -m 0700 /config /state
COPY --from=build /opt/spillover /opt/spillover
ENV PATH=/opt/spillover/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SPILLOVER_CONFIG=/config/spillover.yaml \
    SPILLOVER_STATE_DIR=/state
USER 10001:10001
WORKDIR /state
VOLUME ["/config", "/state"]
EXPOSE 4400
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:4400/health/live', timeout=4)"]
ENTRYPOINT ["spillover"]
# Others than the container itself reach it, so the configuration needs client_keys and admin_key.
CMD ["serve", "--host", "0.0.0.0", "--port", "4400"]
