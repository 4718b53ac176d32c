# The bot without its sandbox and tests. Build: docker build -t hms-sys .
# With Podman or Buildah: podman build --format docker -t hms-sys . (their own format knows no HEALTHCHECK).
ARG PYTHON=3.11-slim

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/hms
WORKDIR /src
# The dependencies first, by hash and as wheels only: this layer changes when they do.
COPY requirements.txt ./
RUN /opt/hms/bin/pip install --require-hashes --only-binary=:all: -r requirements.txt
COPY . ./
RUN /opt/hms/bin/pip install --no-deps . && /opt/hms/bin/pip uninstall --yes pip

FROM python:${PYTHON}
# Nobody else may read what the volume keeps, and nothing of a login's belongs into it.
RUN useradd --uid 10001 --user-group --no-log-init --home-dir /var/lib/hms --no-create-home --shell /usr/sbin/nologin hms \
    && install --directory --owner=hms --group=hms --mode=700 /var/lib/hms
COPY --from=build /opt/hms /opt/hms
# HMS_DATABASE_URL stays unset, so that it or HMS_DATABASE_URL_FILE can be given: the default is hms.db in the volume.
ENV PATH=/opt/hms/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HMS_CONFIG=/etc/hms/hms.yaml \
    HMS_HOST=0.0.0.0
USER 10001:10001
WORKDIR /var/lib/hms
VOLUME /var/lib/hms
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ.get('HMS_PORT', '3000') + '/healthz', timeout=4)"]
ENTRYPOINT ["hms-sys"]
CMD ["serve"]
