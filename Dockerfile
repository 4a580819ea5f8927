# One image for web and worker; docker-compose.yml says which command runs.
FROM python:3.13-slim AS build
WORKDIR /sala
RUN python -m venv --without-pip .venv && python -m pip --python .venv/bin/python install --no-cache-dir uv
COPY requirements.lock pyproject.toml README.md ./
RUN .venv/bin/uv pip sync --python .venv/bin/python --no-cache --require-hashes --compile-bytecode requirements.lock
COPY app app
COPY migrations migrations
COPY templates templates
COPY static static
RUN .venv/bin/uv pip install --python .venv/bin/python --no-cache --no-deps --no-build-isolation --editable . \
    && .venv/bin/python -m compileall -q app \
    && .venv/bin/python -c "from pathlib import Path; from app.web.fonts import build; build(Path('var/assets'))" \
    && .venv/bin/python -c "from pathlib import Path; from app.kit.templates import compile_all; compile_all(Path('var/templates'))"

FROM python:3.13-slim
RUN useradd --system --home-dir /sala --uid 10001 sala
COPY --from=build --chown=root:root /sala /sala
RUN mkdir -p /sala/var && chown -R sala /sala/var
WORKDIR /sala
USER sala
ENV PATH=/sala/.venv/bin:$PATH SALA_ENV=production HOST=0.0.0.0 PYTHONUNBUFFERED=1
EXPOSE 8000
CMD ["sala", "serve"]
