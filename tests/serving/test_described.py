"""Schemathesis: requests made from the OpenAPI document never meet a 500 or an answer the document does not know."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from serving.openapi import describe
from tests.serving.process import PATIENCE, Served

schema = schemathesis.openapi.from_dict(describe())


@schema.parametrize()
@settings(
    max_examples=25, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)
def test_answers_are_as_described(case: schemathesis.Case, server: Served) -> None:
    checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
    case.call_and_validate(base_url=server.url, checks=checks, timeout=PATIENCE)
