"""One column that holds what a row is searched for by, so that a search looks once at each row, and means the same everywhere.

Left to themselves, SQLite tells capital letters from small ones outside ASCII and PostgreSQL does not.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models
from django.db.models import Q
from django.db.models.constants import LOOKUP_SEP
from django.db.models.lookups import Contains

from core.rows import is_sqlite

M = TypeVar("M", bound=models.Model)

_BETWEEN = "\x1f"  # values: what is found lies in one of them


def fold(text: str) -> str:
    """``text`` without regard to case (Unicode, section 3.13: default caseless matching), composed (NFC)."""
    return unicodedata.normalize("NFC", text.casefold()).replace(_BETWEEN, "")


def text_of(values: Iterable[str | None]) -> str:
    """What a row with these values is searched for by."""
    return _BETWEEN.join(fold(value) for value in values if value)


if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


class SearchText(_TextField):
    """Made of the columns named, each time a row is saved."""

    def __init__(self, *sources: str, **options: Any) -> None:  # noqa: ANN401 - whatever a field takes
        super().__init__(**{"default": "", "db_default": "", "editable": False, **options})
        self.sources = sources

    def made_of(self, values: Mapping[str, Any]) -> str:
        """``values`` by column, of which some may be missing: they are empty."""
        return text_of(values.get(source) for source in self.sources)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        text = text_of(getattr(model_instance, source) for source in self.sources)  # also what was left out in reading
        setattr(model_instance, self.attname, text)
        return text

    def deconstruct(self) -> Any:  # noqa: ANN401 - as Django has it
        """To migrations it is the column that it is."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.TextField", arguments, options


class SearchedQuerySet(models.QuerySet[M]):
    def update(self, **values: Any) -> int:  # noqa: ANN401 - as Django has it
        """Raise ``ValueError`` for a column that is searched: the statement would leave behind what it is found by."""
        if found := _fields_made_of(self.model, values):
            raise ValueError(f"{found[0].name} is made of it: save each row")
        return super().update(**values)


def with_search_text(model: type[models.Model], update_fields: Iterable[str] | None) -> list[str] | None:
    """``update_fields`` of a ``save()``, and the columns that are made of them."""
    if update_fields is None:
        return None
    names = list(update_fields)
    return [*names, *(field.name for field in _fields_made_of(model, names))]


@SearchText.register_lookup
class _Contains(Contains):
    """PostgreSQL guesses well how much LIKE will find, which decides how it looks. SQLite would fold cases once more, and has to
    be told, or it goes through the table in the order of an index: 0.5 % is what PostgreSQL supposes without looking.
    """

    def as_sqlite(self, compiler: Any, connection: Any) -> Any:  # noqa: ANN401 - as Django has it
        column, parameters = self.process_lhs(compiler, connection)
        return f"likelihood(INSTR({column}, %s) > 0, 0.005)", [*parameters, self.rhs]


def containing(model: type[models.Model], columns: Iterable[str], text: str) -> Q:
    """Rows of ``model`` with ``text`` in one of ``columns``, in any case; those of another table as ``user__username``."""
    text = unicodedata.normalize("NFC", text)  # as names are kept: some keyboards write a letter and its accent apart
    if _BETWEEN in text:  # is in none of them
        return Q(pk__in=())
    wanted = Q()
    for name in columns:
        field = None if LOOKUP_SEP in name else model._meta.get_field(name)
        if isinstance(field, SearchText):
            wanted |= Q(**{f"{name}__contains": fold(text)})
        elif is_sqlite() and not text.isascii():  # whose LIKE knows the case of ASCII alone
            wanted |= Q(**{f"{name}__iregex": re.escape(text)})
        else:
            wanted |= Q(**{f"{name}__icontains": text})
    return wanted


def _fields_made_of(model: type[models.Model], names: Collection[str]) -> list[SearchText]:
    fields = [field for field in model._meta.concrete_fields if isinstance(field, SearchText)]
    return [field for field in fields if not set(field.sources).isdisjoint(names)]
