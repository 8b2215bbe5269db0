from tests.tools.render_messages import PATH, render


def test_messages_md_is_what_the_rows_say() -> None:
    assert PATH.read_text() == render(), "stale: make docs"
