"""An S3 server on loopback, and a bucket of one's own on it."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from touchstone.remote import Remote


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """Address of the server, with the environment that leads every client in this process and its children there."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    yield settings["AWS_ENDPOINT_URL"]
    server.stop()
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@pytest.fixture
def bucket(s3_address: str) -> Remote:
    """A new bucket."""
    name = f"lab-{uuid.uuid4().hex[:12]}"
    boto3.client("s3", endpoint_url=s3_address).create_bucket(Bucket=name)
    return Remote(f"s3://{name}")


@pytest.fixture(params=["here", "memory", "s3"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path | Remote:
    """A folder of each kind; `memory` stands for whatever else fsspec speaks to, such as gs."""
    if request.param == "here":
        return tmp_path
    if request.param == "memory":
        return Remote(f"memory://{uuid.uuid4().hex}")
    made: Remote = request.getfixturevalue("bucket")
    return made / "a lab"
