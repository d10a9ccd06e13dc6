"""What the form parser would send."""

from tests.support.html_form import form_with

HTML = """
<form><input name="ignored" value="1"></form>
<form action="/go" method="post">
<input type="hidden" name="token" value="t"><input name="empty"><input type="checkbox" name="off"><input type="checkbox" name="on" checked>
<textarea name="text">
one
two</textarea><select name="chosen"><option value="a">A<option value="b" selected>B</select><select name="first"><option value="x">X</select>
<button name="decision" value="allow" data-action="allow">Allow</button></form><input name="outside" value="1">"""


def test_a_form_is_sent_as_a_browser_would() -> None:
    form = form_with("allow", HTML, page_url="http://localhost/page")
    assert form.url == "http://localhost/go"
    assert form.press("allow") == {
        "token": "t",
        "empty": "",
        "on": "on",
        "text": "one\ntwo",
        "chosen": "b",
        "first": "x",
        "decision": "allow",
    }
