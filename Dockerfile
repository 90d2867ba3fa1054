# goretain in a container of its own: beside a pod's container (kubectl debug --target), beside a Docker container
# (--pid=container:NAME) or on a node (--pid=host). docs/production.md has the recipes.
#
#     docker build -t goretain .
#
# It runs as user 65532, the "nonroot" of distroless images. The one capability that reading another user's process
# takes is permitted to goretain's own copy of Python by a file capability, because engines give a user who is not
# root no capability otherwise, and goretain makes it effective when it needs it. "=p" and not "=ep": where the
# engine does not grant SYS_PTRACE, the program starts all the same, says what is missing, and still reads processes
# of its own user, cores, images and snapshots.
FROM python:3.11-slim AS build
RUN python -m pip install --no-cache-dir --root-user-action=ignore uv
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY src src
# Versions and hashes of everything that is fetched are those of requirements.lock. --copies: a Python of its own.
RUN python -m uv build --wheel --build-constraint requirements.lock --out-dir /wheels \
    && python -m venv --copies --without-pip /opt/goretain \
    && python -m uv pip install --no-cache --python /opt/goretain/bin/python \
        --constraint requirements.lock /wheels/*.whl

FROM python:3.11-slim
COPY --from=build /opt/goretain /opt/goretain
# The attribute is what "setcap cap_sys_ptrace=p" writes (struct vfs_cap_data, revision 2), without its package.
RUN python -c "import os, struct; os.setxattr('/opt/goretain/bin/python', 'security.capability', \
        struct.pack('<5I', 0x02000000, 1 << 19, 0, 0, 0))" \
    && useradd --uid 65532 --user-group --create-home -K UID_MAX=65533 goretain
ENV PATH=/opt/goretain/bin:$PATH
ENV HOME=/home/goretain
USER 65532:65532
WORKDIR /home/goretain
ENTRYPOINT ["goretain"]
CMD ["--help"]
