"""The console's forms over the verbs of the apps: what a verb refuses is said on the form, and nothing is half done."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.text import smart_split, unescape_string_literal
from django.utils.translation import gettext as _

from core.errors import AppError, FileTooLarge, FileTypeNotSupported, InvalidImage
from core.search_text import containing

# What the parameters of Django's filters are called after their column.
_OF_FILTERS = ("", "__exact", "__id__exact", "__isnull", "__gte", "__lt")


class Listed(admin.ModelAdmin):
    """What the lists of the console have in common: how they search and filter, and what can be chosen in them."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """What the list's filters send; raise ``IncorrectLookupParameters`` for anything else, which Django answers with the whole
        list. It would let an address ask any column by any lookup, of which many fail at values that somebody made up.
        """
        columns = []
        for each in self.get_list_filter(request):
            column = each[0] if isinstance(each, tuple) else each
            columns.append(str(getattr(column, "parameter_name", column)))
        is_theirs = lookup in {f"{column}{ending}" for column in columns for ending in _OF_FILTERS}
        if not is_theirs or any("\0" in each for each in request.GET.getlist(lookup)):
            raise IncorrectLookupParameters
        return True

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        """As Django, every word somewhere in the columns; and in any case, in every script and on each database."""
        columns = self.get_search_fields(request)
        for word in smart_split(search_term.replace("\0", "")) if columns else ():
            is_quoted = word[0] in "\"'" and word[0] == word[-1]
            queryset = queryset.filter(
                containing(queryset.model, columns, unescape_string_literal(word) if is_quoted else word)
            )
        return queryset, False  # the columns are the row's own, or of one row that it belongs to

    def response_action(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponse | None:  # type: ignore[override] # the stubs are of a later Django
        """What is no key of a row chooses none; Django would ask the database for it, and fail."""
        chosen = request.POST.copy()
        keys = chosen.getlist(ACTION_CHECKBOX_NAME)
        chosen.setlist(ACTION_CHECKBOX_NAME, [key for key in keys if self._may_be_key(key)])
        request.POST = chosen  # type: ignore[assignment] # as immutable as the view that is called next leaves it
        answer: HttpResponse | None = super().response_action(request, queryset)
        return answer

    def _may_be_key(self, text: str) -> bool:
        try:
            self.opts.pk.clean(text, None)
        except ValidationError:
            return False
        return "\0" not in text


class ByVerb(Listed):
    """Its heirs call verbs in ``save_model``, ``save_formset``, ``delete_model`` and their actions, and let refusals pass."""

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: ANN401 - Django's own types
        form: type[forms.ModelForm[Any]] = super().get_form(request, obj, change, **kwargs)
        refused: AppError | None = getattr(request, "refused", None)
        if refused is None:
            return form
        words = in_words(refused)

        class Refused(form):  # type: ignore[valid-type,misc] # made for this one answer
            def clean(self) -> Any:  # noqa: ANN401 - as above
                super().clean()
                raise forms.ValidationError(words)

        return Refused

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
        """A refusal undoes the whole step; then the form comes back as it was filled in."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except AppError as refused:
            if request.method != "POST":
                raise
            request.refused = refused  # type: ignore[attr-defined] # get_form looks for it
            return super().changeform_view(request, *args, **kwargs)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:  # noqa: ANN401 - as above
        """The objects themselves: a person's tokens alone may be thousands, and the verbs say what else goes."""
        return [str(each) for each in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - as above
        try:
            return super().delete_view(request, object_id, extra_context)
        except AppError as refused:
            messages.error(request, in_words(refused))
            return redirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id]))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - as above
        """An action is done to all that were chosen or to none."""
        if request.method != "POST":
            return super().changelist_view(request, extra_context)
        try:
            with transaction.atomic():
                return super().changelist_view(request, extra_context)
        except AppError as refused:
            messages.error(request, in_words(refused))
            return redirect(request.get_full_path())

    def deny(self, request: HttpRequest, refused: AppError, object_id: object) -> HttpResponse:
        """Back to the object, with the refusal of one of its buttons."""
        messages.error(request, in_words(refused))
        return redirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id]))


class ReadOnly(Listed):
    """Looked at, and at most deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(admin.TabularInline):
    """Shown and deleted, never written by hand."""

    extra = 0
    can_delete = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def adopt(blank: Model, made: Model) -> None:
    """Let the object that the form made become the one that a verb has made: Django goes on with the former."""
    for field in made._meta.concrete_fields:
        setattr(blank, field.attname, getattr(made, field.attname))
    blank._state.adding, blank._state.db = False, made._state.db


def in_words(refused: AppError) -> str:
    """What happened and what to do, as one text; of files in other words than the contract's, which are English."""
    match refused:
        case FileTypeNotSupported():
            kinds = str(refused.details.get("expected_file_type") or "PNG, JPEG, WebP, SVG, GIF, AVIF, HEIC, ICO")
            return _("Choose a file of another kind: %(kinds)s.") % {
                "kinds": kinds.replace(", or ", ", ").replace(" or ", ", ")
            }
        case FileTooLarge():
            return _("This file is too large: at most %(size)s.") % {"size": refused.details["max_size"]}
        case InvalidImage():
            return _("This file is no picture of the kind that its name says, or a damaged or very large one.")
    return " ".join(text for text in (str(refused.message), str(refused.remedy)) if text)
