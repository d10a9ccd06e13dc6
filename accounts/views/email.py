"""What comes by mail: a login code for whoever asks, and the link that shows that an address is one's own."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import email_verification, login_codes
from accounts.api.login_codes import set_browser_cookie
from accounts.errors import OneTimeAccessDisabled
from accounts.forms import EmailForm
from accounts.models import Session
from accounts.views.account import for_people
from accounts.views.sign_in import HOME, where_to
from audit import log
from audit.models import Event
from core import ratelimit
from core.errors import AppError
from core.http import client_ip, safe_path, with_headers
from siteconfig.models import current


@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_code(request: HttpRequest) -> HttpResponse:
    """Mail a code; the answer is the same for an address that nobody has (attacks.md D14)."""
    given = request.POST if request.method == "POST" else request.GET
    path = safe_path(given.get("redirect"), "")
    target = where_to(path)
    if request.user.is_authenticated:
        return redirect(target)
    form = EmailForm(request.POST or None)
    if not current().email_one_time_access_as_unauthenticated_enabled:
        return _asked(request, form, target, is_off=True, status=OneTimeAccessDisabled.status)
    if request.method != "POST" or not form.is_valid():
        return _asked(request, form, target, status=422 if form.errors else 200)
    try:
        ratelimit.take(ratelimit.LOGIN_CODE_EMAIL, client_ip(request))
        browser_key = login_codes.request_by_mail(form.cleaned_data["email"], path=path)
    except AppError as refused:
        form.add_error("email", str(refused.message))
        return with_headers(_asked(request, form, target, status=refused.status), refused)
    response = redirect("/login/alternative/code?" + urlencode({"sent": "", "redirect": target}))
    set_browser_cookie(response, browser_key)
    return response


def _asked(
    request: HttpRequest, form: EmailForm, target: str, *, is_off: bool = False, status: int = 200
) -> HttpResponse:
    context = {"form": form, "next": target, "is_off": is_off}
    return render(request, "accounts/email_code.html", context, status=status)


@require_POST
@for_people
def send_verification(request: HttpRequest, session: Session) -> HttpResponse:
    try:
        ratelimit.take(ratelimit.SEND_EMAIL_VERIFICATION, client_ip(request))
        email_verification.send(session.user)
    except AppError as refused:
        messages.error(request, str(refused.message))
    else:
        text = _("A link is on its way to %(address)s. It works for a day.") % {"address": session.user.email}
        messages.success(request, text)
    return redirect(HOME)


@require_safe
@for_people
def verify(request: HttpRequest, session: Session) -> HttpResponse:
    """The link of the mail. It is the person's own, and opening it is what they were asked to do: no further button."""
    if request.method != "GET":
        return redirect(HOME)
    try:
        ratelimit.take(ratelimit.VERIFY_EMAIL, client_ip(request))
        email_verification.verify(session.user, request.GET.get("token", ""))
    except AppError as refused:
        if session.user.email_verified:
            messages.info(request, _("Your e-mail address is verified already."))
        else:
            messages.error(request, _("%(problem)s. Ask for a new link.") % {"problem": refused.message})
    else:
        log.record(Event.EMAIL_VERIFIED, user=session.user, request=request)
        messages.success(request, _("Your e-mail address is verified."))
    return redirect(HOME)
