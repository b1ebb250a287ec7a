"""Dockerfile instructions applied to a config."""

from __future__ import annotations

from typing import Any

import pytest

from ghcrctl.errors import UsageError
from ghcrctl.operations.making.dockerfile_changes import apply_changes


@pytest.mark.parametrize(
    ("changes", "config"),
    [
        (['CMD ["/hello", "you"]'], {"Cmd": ["/hello", "you"]}),
        (["CMD echo $HOME"], {"Cmd": ["/bin/sh", "-c", "echo $HOME"]}),
        (["cmd [broken"], {"Cmd": ["/bin/sh", "-c", "[broken"]}),
        (['ENTRYPOINT ["/x"]'], {"Entrypoint": ["/x"]}),
        (["ENV A=b C='d e'"], {"Env": ["A=b", "C=d e"]}),
        (["ENV A b c"], {"Env": ["A=b c"]}),
        (["ENV A=1", "ENV B=2", "ENV A=3"], {"Env": ["A=3", "B=2"]}),
        (['LABEL a=b "c.d"="e f"'], {"Labels": {"a": "b", "c.d": "e f"}}),
        (
            ["EXPOSE 80 53/UDP", "EXPOSE 8000-8001"],
            {"ExposedPorts": {"80/tcp": {}, "53/udp": {}, "8000/tcp": {}, "8001/tcp": {}}},
        ),
        (['VOLUME ["/a b"]', "VOLUME /c"], {"Volumes": {"/a b": {}, "/c": {}}}),
        (["WORKDIR /srv", "WORKDIR app"], {"WorkingDir": "/srv/app"}),
        (["USER 1000:1000"], {"User": "1000:1000"}),
        (["STOPSIGNAL SIGTERM"], {"StopSignal": "SIGTERM"}),
        (["ONBUILD RUN make", "ONBUILD USER me"], {"OnBuild": ["RUN make", "USER me"]}),
        (["HEALTHCHECK NONE"], {"Healthcheck": {"Test": ["NONE"]}}),
        (["HEALTHCHECK CMD curl x"], {"Healthcheck": {"Test": ["CMD-SHELL", "curl x"]}}),
        (['HEALTHCHECK CMD ["a"]'], {"Healthcheck": {"Test": ["CMD", "a"]}}),
    ],
)
def test_an_instruction_changes_the_config(changes: list[str], config: dict[str, Any]) -> None:
    assert apply_changes({}, changes) == config


def test_other_fields_are_kept_and_the_input_is_not_changed() -> None:
    before = {"Env": ["A=b"], "User": "me"}
    assert apply_changes(before, ["ENV C=d"]) == {"Env": ["A=b", "C=d"], "User": "me"}
    assert before == {"Env": ["A=b"], "User": "me"}


@pytest.mark.parametrize(
    "change",
    [
        "RUN ls",
        "FROM scratch",
        "CMD",
        "CMD  ",
        "",
        "CMD [1]",
        "ENV A",
        "ENV A=b =c",
        "LABEL a='b",
        "EXPOSE web",
        "EXPOSE 0",
        "EXPOSE 70000",
        "EXPOSE 9-8",
        "USER a b",
        "STOPSIGNAL $(x)",
        "ONBUILD FROM x",
        "HEALTHCHECK curl",
    ],
)
def test_an_invalid_instruction_is_refused(change: str) -> None:
    with pytest.raises(UsageError, match="invalid change"):
        apply_changes({}, [change])
