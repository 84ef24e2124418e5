import json

import pytest

from antema.domain import Trust
from antema.domain.trust import VERDICTS


@pytest.mark.parametrize("verdict", VERDICTS)
def test_it_is_the_same_after_a_file(verdict):
    trust = Trust(0.25, verdict, ("Its particles are 3 px wide.", "It is out of focus."))
    assert Trust.from_dict(json.loads(json.dumps(trust.to_dict()))) == trust


def test_only_what_a_network_does_not_know_is_warned_of():
    assert Trust(0.9, "within").warning == ""
    doubtful, outside = (Trust(0.1, verdict, ("It is out of focus.",)).warning for verdict in VERDICTS[1:])
    assert doubtful != outside
    for words in (doubtful, outside):
        assert words.endswith(". It is out of focus.")
