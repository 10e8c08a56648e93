# The page, the native core and the program, each built in a stage of its own; the last holds only what runs.

FROM node:22-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
COPY web/client/package.json client/
COPY web/app/package.json app/
RUN npm ci --no-fund --no-audit
COPY web ./
RUN npm run build \
 && find app/dist -type f \( -name '*.js' -o -name '*.css' -o -name '*.html' -o -name '*.svg' \) -size +1k \
      -exec gzip --keep --force --best --no-name {} +

FROM python:3.13-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends g++ libssl-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY pyproject.toml CMakeLists.txt README.md LICENSE ./
COPY sfu sfu
COPY tertulia tertulia
COPY signaling signaling
COPY chat chat
COPY turn turn
RUN python -m venv /opt/tertulia && /opt/tertulia/bin/pip install --no-cache-dir .

FROM python:3.13-slim
RUN apt-get update && apt-get install -y --no-install-recommends libssl3 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --user-group --home-dir /var/lib/tertulia --create-home --shell /usr/sbin/nologin tertulia
COPY --from=build /opt/tertulia /opt/tertulia
COPY --from=web /src/web/app/dist /opt/tertulia/web
ENV PATH=/opt/tertulia/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TERTULIA_HTTP_HOST=0.0.0.0 \
    TERTULIA_DATA_DIR=/var/lib/tertulia \
    TERTULIA_WEB_DIST=/opt/tertulia/web
USER tertulia
VOLUME /var/lib/tertulia
EXPOSE 8080/tcp 7882/udp
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/readyz', timeout=2)"]
ENTRYPOINT ["tertulia"]
CMD ["serve"]
