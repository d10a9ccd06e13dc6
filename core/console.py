"""The console's forms over the verbs of the apps: what a verb refuses is said on the form, and nothing is half done."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from core.errors import AppError, FileTooLarge, FileTypeNotSupported, InvalidImage


class ByVerb(admin.ModelAdmin):
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


class ReadOnly(admin.ModelAdmin):
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
