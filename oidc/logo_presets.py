"""Logos of apps that people often run, to choose from when a client is made (Pocket ID 2.18's ``logo-presets``).

The pictures are files of ours in ``static/logos``; nothing is fetched. A client takes a preset as it takes any other logo, by its
address in ``logoUrl``, and keeps a copy.
"""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from oidc.logos import Picture

MOST = 30


@dataclass(frozen=True)
class Preset:
    """``reference`` is the name of its file; ``tags`` are words that people may search for instead of the name."""

    reference: str
    name: str
    tags: tuple[str, ...]
    has_dark: bool = False

    @property
    def logo_url(self) -> str:
        return f"{_base()}{self.reference}.svg"

    @property
    def dark_logo_url(self) -> str | None:
        """For dark pages, where the light one would hardly be seen."""
        return f"{_base()}{self.reference}-dark.svg" if self.has_dark else None


def search(text: str) -> list[Preset]:
    """At most thirty: those of this very name first, then those that begin so, that contain it, and that are tagged so.

    Without a text all there are, by name.
    """
    wanted = text.strip().casefold()
    ranked = [(rank, preset) for preset in PRESETS if (rank := _rank(preset, wanted)) is not None]
    return [preset for _rank_of_it, preset in sorted(ranked, key=lambda pair: pair[0])][:MOST]


def picture_at(url: str) -> Picture | None:
    """The picture of a preset, from our own disk; ``None`` for every other address."""
    return Picture(_FILES[url.removeprefix(_base())].read_bytes(), "image/svg+xml") if _is_ours(url) else None


def _is_ours(url: str) -> bool:
    # Looked up by name: what somebody sends is never made a path of.
    return url.startswith(_base()) and url.removeprefix(_base()) in _FILES


def _base() -> str:
    return f"{settings.APP_URL}{settings.STATIC_URL}logos/"


def _rank(preset: Preset, wanted: str) -> int | None:
    name = preset.name.casefold()
    if not wanted:
        return 0
    if wanted in (name, preset.reference):
        return 1
    if name.startswith(wanted):
        return 2
    if wanted in name or wanted in preset.reference:
        return 3
    return 4 if any(wanted in tag for tag in preset.tags) else None


# By name.
PRESETS = (
    Preset("actualbudget", "Actual Budget", ("money", "budget"), has_dark=True),
    Preset("affine", "AFFiNE", ("notes", "wiki")),
    Preset("argo", "Argo", ("argocd", "deployment")),
    Preset("audiobookshelf", "Audiobookshelf", ("books", "audio")),
    Preset("authentik", "Authentik", ("sign-in",)),
    Preset("bitwarden", "Bitwarden", ("passwords",)),
    Preset("bookstack", "BookStack", ("wiki", "documentation")),
    Preset("calibreweb", "Calibre-Web", ("books",)),
    Preset("coolify", "Coolify", ("deployment",), has_dark=True),
    Preset("cryptpad", "CryptPad", ("documents",)),
    Preset("discourse", "Discourse", ("forum",), has_dark=True),
    Preset("docker", "Docker", ("containers",)),
    Preset("element", "Element", ("chat", "matrix")),
    Preset("freshrss", "FreshRSS", ("news", "feeds")),
    Preset("ghost", "Ghost", ("blog",), has_dark=True),
    Preset("gitea", "Gitea", ("git", "code")),
    Preset("gitlab", "GitLab", ("git", "code")),
    Preset("grafana", "Grafana", ("monitoring", "dashboards")),
    Preset("homeassistant", "Home Assistant", ("smart", "home")),
    Preset("immich", "Immich", ("photos",), has_dark=True),
    Preset("jellyfin", "Jellyfin", ("films", "media")),
    Preset("joplin", "Joplin", ("notes",)),
    Preset("karakeep", "Karakeep", ("bookmarks", "hoarder"), has_dark=True),
    Preset("kubernetes", "Kubernetes", ("containers",)),
    Preset("mastodon", "Mastodon", ("social",)),
    Preset("matrix", "Matrix", ("chat",), has_dark=True),
    Preset("mattermost", "Mattermost", ("chat",), has_dark=True),
    Preset("mealie", "Mealie", ("recipes",)),
    Preset("minio", "MinIO", ("storage",)),
    Preset("n8n", "n8n", ("automation",)),
    Preset("nextcloud", "Nextcloud", ("files", "cloud")),
    Preset("nginxproxymanager", "Nginx Proxy Manager", ("proxy",)),
    Preset("nodered", "Node-RED", ("automation",), has_dark=True),
    Preset("obsidian", "Obsidian", ("notes",)),
    Preset("odoo", "Odoo", ("business",), has_dark=True),
    Preset("opnsense", "OPNsense", ("firewall",)),
    Preset("outline", "Outline", ("wiki", "notes"), has_dark=True),
    Preset("owncloud", "ownCloud", ("files", "cloud"), has_dark=True),
    Preset("paperlessngx", "Paperless-ngx", ("documents",), has_dark=True),
    Preset("pfsense", "pfSense", ("firewall",), has_dark=True),
    Preset("phpmyadmin", "phpMyAdmin", ("database",)),
    Preset("plex", "Plex", ("films", "media")),
    Preset("portainer", "Portainer", ("containers",)),
    Preset("prometheus", "Prometheus", ("monitoring",)),
    Preset("proxmox", "Proxmox", ("virtual", "machines")),
    Preset("radarr", "radarr", ("films",)),
    Preset("rancher", "Rancher", ("containers",)),
    Preset("rocketdotchat", "Rocket.Chat", ("chat",)),
    Preset("roundcube", "Roundcube", ("mail",)),
    Preset("seafile", "Seafile", ("files", "cloud")),
    Preset("sonarr", "sonarr", ("series",)),
    Preset("syncthing", "Syncthing", ("files",)),
    Preset("synology", "Synology", ("storage",)),
    Preset("tailscale", "Tailscale", ("network", "vpn"), has_dark=True),
    Preset("traefikproxy", "Traefik Proxy", ("proxy",)),
    Preset("truenas", "TrueNAS", ("storage",)),
    Preset("uptimekuma", "Uptime Kuma", ("monitoring",)),
    Preset("vaultwarden", "Vaultwarden", ("passwords",), has_dark=True),
    Preset("vikunja", "Vikunja", ("tasks",)),
    Preset("wikidotjs", "Wiki.js", ("wiki",)),
    Preset("wordpress", "WordPress", ("blog",)),
    Preset("zulip", "Zulip", ("chat",)),
)
_FOLDER = Path(__file__).resolve().parent.parent / "static" / "logos"
_FILES = {
    name: _FOLDER / name
    for preset in PRESETS
    for name in (f"{preset.reference}.svg", *((f"{preset.reference}-dark.svg",) if preset.has_dark else ()))
}
