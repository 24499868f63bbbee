"""Real clients, unmodified: boto3 and the AWS CLI."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from getintegration_emulator.identities import DEFAULT_IDENTITIES

Make = Callable[..., Any]


def test_boto3_uses_all_operations(boto_client: Make, flow: dict[str, Any]) -> None:
    client = boto_client()
    domain = client.create_domain(DomainName="shop", DefaultExpirationDays=30, Tags={"a": "b"})
    assert client.get_domain(DomainName="shop")["CreatedAt"] == domain["CreatedAt"]
    client.put_integration(DomainName="shop", Uri="arn:one", ObjectTypeName="_unstructured")
    made = client.put_integration(DomainName="shop", FlowDefinition=flow, Scope="PROFILE")
    got = client.get_integration(DomainName="shop", Uri="arn:one")
    assert got["IsUnstructured"] is True
    now = datetime.datetime.now(datetime.UTC)
    assert abs(now - got["CreatedAt"]) < datetime.timedelta(minutes=1)
    first = client.list_integrations(DomainName="shop", MaxResults=1)
    rest = client.list_integrations(DomainName="shop", NextToken=first["NextToken"])
    assert [item["Uri"] for item in first["Items"] + rest["Items"]] == ["arn:one", made["Uri"]]
    assert [item["DomainName"] for item in client.list_domains()["Items"]] == ["shop"]
    assert client.delete_integration(DomainName="shop", Uri="arn:one")["Message"]
    assert client.delete_domain(DomainName="shop")["Message"]
    assert client.list_domains()["Items"] == []


def test_boto3_raises_typed_exceptions(boto_client: Make) -> None:
    client = boto_client()
    errors = client.exceptions
    with pytest.raises(errors.ResourceNotFoundException) as missing:
        client.get_integration(DomainName="shop", Uri="arn:one")
    assert missing.value.response["Error"]["Message"]
    assert missing.value.response["Message"]
    with pytest.raises(errors.BadRequestException):
        client.get_integration(DomainName="sh.op", Uri="arn:one")
    with pytest.raises(errors.BadRequestException):
        client.get_integration(DomainName="..", Uri="arn:one")
    denied = boto_client("unauthorized")
    with pytest.raises(denied.exceptions.AccessDeniedException):
        denied.get_integration(DomainName="shop", Uri="arn:one")


def test_boto3_with_temporary_credentials(boto_client: Make) -> None:
    client = boto_client("temporary")
    client.create_domain(DomainName="shop", DefaultExpirationDays=1)
    assert client.get_domain(DomainName="shop")["DefaultExpirationDays"] == 1


def test_boto3_retries_what_is_throttled(boto_client: Make) -> None:
    impatient = boto_client("low-quota", retries={"mode": "standard", "total_max_attempts": 1})
    with pytest.raises(impatient.exceptions.ThrottlingException) as refused:
        [impatient.list_domains() for _ in range(20)]
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    patient = boto_client("low-quota", retries={"mode": "standard", "total_max_attempts": 8})
    assert patient.list_domains()["Items"] == []


@pytest.fixture(scope="module")
def aws() -> str:
    """The AWS CLI that belongs to this Python, or else the one on the path."""
    beside = Path(sys.executable).parent / "aws"
    found = str(beside) if beside.exists() else shutil.which("aws")
    if found is None:
        pytest.skip("the AWS CLI is not installed (pip install awscli)")
    return found


def test_aws_cli(aws: str, emulator: Any, wire: Any, tmp_path: Path) -> None:
    wire.create_domain()
    wire.put(ObjectTypeName="MyObject")
    who = DEFAULT_IDENTITIES["caller"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {
        "AWS_ACCESS_KEY_ID": who.access_key,
        "AWS_SECRET_ACCESS_KEY": who.secret_key,
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_REGION": wire.region,
        "AWS_DEFAULT_REGION": wire.region,
        "AWS_ENDPOINT_URL_CUSTOMER_PROFILES": emulator.url,
        "AWS_PAGER": "",
    }
    command = [aws, "customer-profiles", "get-integration", "--domain-name", "shop", "--uri"]

    def start(uri: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*command, uri],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    good, bad = start("arn:flow"), start("arn:other")
    output, errors = good.communicate(timeout=60)
    assert good.returncode == 0, errors
    assert json.loads(output)["ObjectTypeName"] == "MyObject"
    output, errors = bad.communicate(timeout=60)
    assert bad.returncode != 0
    assert "(ResourceNotFoundException)" in errors
