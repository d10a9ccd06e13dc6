"""What every list has in common (contract section 1.7), shown with people."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import User
from audit.models import Entry
from core import rest_pages
from tests.api.people.script import Script

pytestmark = pytest.mark.postgres


@pytest.fixture
def many(script: Script) -> None:
    User.objects.bulk_create(
        User(
            username=f"user{number:02}",
            email=f"{number}@example.com",
            first_name="Zoë" if number % 2 else "adam",
            disabled=number == 3,
        )
        for number in range(24)
    )


def page(script: Script, query: str) -> tuple[list[str], dict]:
    answer = script.read(f"/api/users?{query}").json()
    return [each["username"] for each in answer["data"]], answer["pagination"]


def test_twenty_on_a_page(script: Script, many: None) -> None:
    names, envelope = page(script, "sort[column]=username")
    assert names[:2] == ["alice", "user00"]
    assert envelope == {"totalPages": 2, "totalItems": 25, "currentPage": 1, "itemsPerPage": 20}


@pytest.mark.parametrize(
    "query",
    ["pagination[page]=2&pagination[limit]=10", "page=2&limit=10", "pagination%5Bpage%5D=2&pagination%5Blimit%5D=10"],
)
def test_pages_by_any_of_their_names(script: Script, many: None, query: str) -> None:
    names, envelope = page(script, f"{query}&sort[column]=username")
    assert names[0] == "user09"
    assert (envelope["currentPage"], envelope["itemsPerPage"]) == (2, 10)


@pytest.mark.parametrize(
    ("query", "current", "limit"),
    [
        ("pagination[page]=99&pagination[limit]=10", 3, 10),
        ("pagination[page]=0&pagination[limit]=0", 1, 20),
        ("pagination[page]=-1", 1, 20),
        ("pagination[limit]=1000", 1, 100),
        ("pagination[page]=x&pagination[limit]=1", 1, 20),
        ("pagination[page]=99999999999999999999", 1, 20),
        ("pagination[page]=²", 1, 20),
    ],
)
def test_pages_that_are_not_there(script: Script, many: None, query: str, current: int, limit: int) -> None:
    _names, envelope = page(script, query)
    assert (envelope["currentPage"], envelope["itemsPerPage"]) == (current, limit)


def test_no_page_repeats_what_another_showed(script: Script, many: None) -> None:
    """All were made in the same moment: only the id tells them apart."""
    seen = [
        name
        for number in range(1, 6)
        for name in page(script, f"page={number}&limit=5&sort[column]=createdAt&sort[direction]=asc")[0]
    ]
    assert len(seen) == len(set(seen)) == 25


def test_text_is_sorted_without_regard_to_case(script: Script, many: None) -> None:
    User.objects.create(username="Bertha", first_name="Bertha")
    names, _ = page(script, "sort[column]=username&sort[direction]=desc&limit=100")
    assert names[-2:] == ["Bertha", "alice"]


def test_search_looks_at_names_and_addresses_and_takes_signs_for_themselves(script: Script, many: None) -> None:
    assert page(script, "search=ALI")[0] == ["alice"]
    assert page(script, "search=23@ex")[0] == ["user23"]
    assert page(script, "search=%25")[0] == page(script, "search=_")[0] == []
    assert page(script, "search=%00ali%00")[0] == ["alice"]
    assert page(script, "search=" + "x" * 60_000)[0] == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("zoë", ["hans"]),
        ("ZOË", ["hans"]),
        ("ZOE%CC%88", ["hans"]),  # the dots written by themselves (NFD)
        ("STRASSER", ["hans"]),
        ("иван", ["ivan"]),
        ("ë%1Fs", []),
        ("%1F", []),
        ("zoë straßer", []),
        ("han", ["hans"]),
    ],
)
def test_search_knows_no_case_in_any_script_on_either_database(script: Script, query: str, found: list) -> None:
    User.objects.create(username="hans", first_name="Zoë", last_name="Straßer", email="h@example.org")
    User.objects.create(username="ivan", first_name="ИВАН")
    assert page(script, f"search={query}")[0] == found


def test_a_search_finds_people_by_what_they_are_called_now(script: Script, many: None) -> None:
    """However the change was made."""
    someone = User.objects.get(username="user07")
    someone.first_name = "Renamed"
    someone.save(update_fields=["first_name"])
    assert page(script, "search=renamed")[0] == ["user07"]
    script.change(f"/api/users/{someone.pk}", {"username": "other", "email": "new@example.org"})
    assert page(script, "search=renamed")[0] == page(script, "search=user07")[0] == []
    assert page(script, "search=NEW@")[0] == ["other"]
    with pytest.raises(ValueError, match="save each row"):
        User.objects.filter(username="other").update(last_name="left behind")
    with pytest.raises(ValueError, match="save each row"):
        User.objects.bulk_update([someone], ["email"])


@pytest.mark.parametrize("left_out", ["email", "search_text"])
def test_who_was_read_in_part_is_found_by_everything_all_the_same(script: Script, many: None, left_out: str) -> None:
    someone = User.objects.defer(left_out).get(username="user07")
    someone.first_name = "Renamed"
    someone.save()
    someone = User.objects.defer(left_out).get(username="user07")
    someone.last_name = "Twice"
    someone.save(update_fields=["last_name"])
    for term in ("renamed", "twice", "user07", "7@example.com"):
        assert "user07" in page(script, f"search={term}")[0]


def test_names_are_found_with_their_accents_written_apart(script: Script) -> None:
    assert script.make("/api/user-groups", {"name": "café", "friendlyName": "Café"}).status_code == 201
    assert script.make("/api/oidc/clients", {"name": "café"}).status_code == 201
    assert script.make("/api/apis", {"name": "café", "resource": "https://cafe.example"}).status_code == 201
    for path in ("/api/user-groups", "/api/oidc/clients", "/api/apis"):
        assert [each["name"] for each in script.read(f"{path}?search=cafe%CC%81").json()["data"]] == ["café"], path


def test_a_long_search_means_all_of_it(script: Script) -> None:
    """Addresses of APIs have up to 350 characters."""
    resource = "https://api.example/" + "x" * 300
    assert script.make("/api/apis", {"name": "long", "resource": resource}).status_code == 201
    totals = {
        text: script.read(f"/api/apis?search={text}").json()["pagination"]["totalItems"]
        for text in (resource, f"{resource}y", "x" * 301, "x" * 5000)
    }
    assert list(totals.values()) == [1, 0, 0, 0]


@pytest.mark.parametrize("few", [5, 500])
def test_a_search_that_finds_much_is_paged_and_counted_as_any_list(
    script: Script, many: None, monkeypatch, few
) -> None:
    monkeypatch.setattr(rest_pages, "FEW", few)
    names, envelope = page(script, "search=user&sort[column]=username&page=3&limit=10")
    assert names == ["user20", "user21", "user22", "user23"]
    assert envelope == {"totalPages": 3, "totalItems": 24, "currentPage": 3, "itemsPerPage": 10}
    assert page(script, "search=user&filters[disabled]=true")[1]["totalItems"] == 1


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("filters[isAdmin]=true", 1),
        ("filters[isAdmin][0]=false", 24),
        ("filters[isAdmin]=true&filters[isAdmin]=false", 25),
        ("filters[disabled]=true", 1),
        ("filters[nonsense]=1", 25),
        ("filters[isAdmin]=maybe", 0),
        ("filters[isAdmin]=%00", 0),
    ],
)
def test_filters(script: Script, many: None, query: str, total: int) -> None:
    assert page(script, query)[1]["totalItems"] == total


@pytest.mark.parametrize(
    "path",
    ["/api/users", "/api/user-groups", "/api/signup-tokens", "/api/api-keys", "/api/audit-logs", "/api/audit-logs/all"],
)
@pytest.mark.parametrize(
    "query",
    [
        "sort[column]=nonsense&sort[direction]=sideways",
        "sort[column]=createdAt&sort[direction]=desc",
        "filters[event]=%00&filters[userID]=x&filters[clientName]=%00&search=%00",
        "filters[event][][]=1",
        "sort[column]=__class__",
    ],
)
def test_no_question_is_too_odd(script: Script, path: str, query: str) -> None:
    answer = script.read(f"{path}?{query}")
    assert answer.status_code == 200
    assert answer.json()["pagination"]["totalPages"] >= 1


def test_a_list_costs_a_fixed_number_of_statements(script: Script, many: None, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(8):
        script.read("/api/users?limit=100")


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_pages_far_from_the_beginning_are_the_same_as_any_other(script, monkeypatch, direction):
    """They are found by key first, from whichever end is nearer."""
    User.objects.bulk_create(User(username=f"p{n:02}", display_name="same" if n % 3 else "") for n in range(23))
    path = f"/api/users?sort[column]=displayName&sort[direction]={direction}&limit=5&page="
    near = [script.read(path + str(page)).json() for page in range(1, 7)]
    monkeypatch.setattr(rest_pages, "FAR", 0)
    assert [script.read(path + str(page)).json() for page in range(1, 7)] == near
    seen = [each["id"] for page in near[:5] for each in page["data"]]
    assert len(seen) == len(set(seen)) == 24


def as_if_there_were_thousands(monkeypatch) -> dict:
    """Counts are remembered; what is answered is where rows that were walked to are."""
    monkeypatch.setattr(rest_pages, "_MANY", 0)
    monkeypatch.setattr(rest_pages, "_SETTLED", 2)
    monkeypatch.setattr(rest_pages, "_counts", {})
    monkeypatch.setattr(rest_pages, "_marks", marks := {})
    return marks


@pytest.mark.parametrize("query", ["", "&filters[event]=SIGN_IN"])
def test_pages_far_down_the_audit_log_go_on_from_others(script, monkeypatch, query):
    """Also where several entries are of one moment; asked in any order, and again."""
    marks = as_if_there_were_thousands(monkeypatch)
    Entry.objects.bulk_create(Entry(event=["SIGN_IN", "SIGN_OUT"][n % 2]) for n in range(60))
    moment = timezone.now()
    for entry in Entry.objects.all():
        Entry.objects.filter(pk=entry.pk).update(created_at=moment - timedelta(seconds=entry.pk // 7 % 5))
    path = f"/api/audit-logs/all?limit=5{query}&page="
    last = script.read(path + "1").json()["pagination"]["totalPages"]
    near = {page: script.read(path + str(page)).json() for page in range(1, last + 1)}
    monkeypatch.setattr(rest_pages, "FAR", 1)
    for page in [*range(1, last + 1), *range(last, 0, -1), *range(1, last + 1)]:
        assert script.read(path + str(page)).json() == near[page], page
    assert marks
    seen = [each["id"] for page in near.values() for each in page["data"]]
    assert len(seen) == len(set(seen)) == near[1]["pagination"]["totalItems"]


@pytest.mark.parametrize("far", [3, 1000])
@pytest.mark.parametrize("walked_before", [False, True])
def test_who_reads_the_whole_audit_log_misses_nothing_while_it_grows(script, monkeypatch, far, walked_before):
    """Counted before, walked before, and with new entries between any two pages."""
    marks = as_if_there_were_thousands(monkeypatch)
    monkeypatch.setattr(rest_pages, "FAR", far)
    Entry.objects.bulk_create(Entry(event="SIGN_IN") for _ in range(60))
    path = "/api/audit-logs/all?limit=5&page="
    for page in range(1, 13 if walked_before else 2):
        script.read(path + str(page))
    Entry.objects.bulk_create(Entry(event="SIGN_OUT") for _ in range(7))
    there, seen, page, last = set(Entry.objects.values_list("pk", flat=True)), set(), 1, 1
    while page <= last:
        answer = script.read(path + str(page)).json()
        assert answer["pagination"]["totalItems"] == Entry.objects.count()
        seen |= {UUID(each["id"]).int for each in answer["data"]}
        last, page = answer["pagination"]["totalPages"], page + 1
        Entry.objects.bulk_create(Entry(event="SIGN_OUT") for _ in range(2))
    assert there <= seen
    assert bool(marks) == (far == 3)


def test_a_count_is_of_its_own_question_alone(script, monkeypatch):
    """Of two events, and of one event with a comma in its name."""
    as_if_there_were_thousands(monkeypatch)
    Entry.objects.bulk_create(Entry(event=["SIGN_IN", "SIGN_OUT"][n % 2]) for n in range(8))
    path = "/api/audit-logs/all?filters[event]=SIGN_IN"
    assert script.read(f"{path}&filters[event]=SIGN_OUT").json()["pagination"]["totalItems"] == 8
    assert script.read(f"{path}, SIGN_OUT").json()["pagination"]["totalItems"] == 0
