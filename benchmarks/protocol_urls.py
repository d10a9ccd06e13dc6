"""The protocol endpoints with the constant view before them."""

from django.urls import path

from benchmarks.urls import constant
from pocketid import protocol_urls

urlpatterns = [path("bench/const", constant), *protocol_urls.urlpatterns]
handler400, handler403, handler404, handler500 = (
    protocol_urls.handler400,
    protocol_urls.handler403,
    protocol_urls.handler404,
    protocol_urls.handler500,
)
