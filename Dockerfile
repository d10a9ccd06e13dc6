# Two stages: the first puts the program together, the second has nothing in it but what runs.
FROM python:3.13-slim-bookworm AS builder

# "granian" installs that server too, for SERVER=granian.
ARG REQUIREMENTS=base

WORKDIR /app
COPY requirements/ requirements/
RUN python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/${REQUIREMENTS}.txt -r requirements/build.txt

COPY . .
RUN pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check --no-build-isolation --no-deps --editable . \
 && /venv/bin/python -c 'import glob, polib; [polib.pofile(po).save_as_mofile(po[:-2] + "mo") for po in glob.glob("locale/*/LC_MESSAGES/*.po")]' \
 && ENCRYPTION_KEY=only-for-collectstatic /venv/bin/python manage.py collectstatic --no-input --verbosity 0 --ignore rest_framework --ignore oauth2_provider \
 && pip --python /venv/bin/python uninstall --yes setuptools polib \
 && /venv/bin/python -m compileall -q . \
 && mkdir -m 700 data

FROM python:3.13-slim-bookworm

# The files are root's and only data/ is the server's: it cannot change its own program.
RUN useradd --uid 1000 --user-group --no-create-home --home-dir /app/data --shell /usr/sbin/nologin pocketid
COPY --from=builder /venv /venv
COPY --from=builder /app /app
COPY --from=builder --chown=1000:1000 /app/data /app/data

ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /app
USER 1000:1000
VOLUME /app/data
EXPOSE 1411
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=6s --start-period=30s CMD ["pocketid", "healthcheck"]
ENTRYPOINT ["pocketid"]
CMD ["serve"]
