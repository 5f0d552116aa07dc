FROM node:24-alpine AS graphiql
WORKDIR /build/portal/graphiql
COPY portal/graphiql/ ./
RUN npm ci --no-audit --no-fund && npm run build

FROM python:3.11-slim
WORKDIR /srv
RUN pip install --no-cache-dir uv
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN uv pip sync --system --no-cache requirements.lock
COPY auth auth
COPY cli cli
COPY graph graph
COPY migrations migrations
COPY portal portal
COPY providers providers
COPY resolvers resolvers
COPY sandbox sandbox
COPY settings settings
COPY tracing tracing
COPY --from=graphiql /build/portal/static/graphiql portal/static/graphiql
RUN uv pip install --system --no-cache --no-deps --editable . \
    && useradd --create-home graphe && mkdir var && chown graphe var
USER graphe
EXPOSE 8000
CMD ["graphe", "serve"]
