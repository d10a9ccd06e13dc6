"""A private Apache with Debian's certified client, mod_auth_openidc, in front of one page."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from tests.support.server import free_port

MODULES = Path("/usr/lib/apache2/modules")
LOADED = ["mpm_event", "authn_core", "authz_core", "authz_user", "auth_openidc", "include", "filter", "mime", "dir"]
START_TIMEOUT = 10.0  # seconds

# Server-side includes: what the protected app is told about its visitor.
PAGE = """<!DOCTYPE html><html lang="en"><title>Protected</title><link rel="icon" href="data:,"><dl>
<dt>User<dd id="user"><!--#echo var="REMOTE_USER" -->
<dt>Name<dd id="name"><!--#echo var="OIDC_CLAIM_name" -->
<dt>E-mail<dd id="email"><!--#echo var="OIDC_CLAIM_email" -->
<dt>Verified<dd id="email_verified"><!--#echo var="OIDC_CLAIM_email_verified" -->
<dt>Issuer<dd id="issuer"><!--#echo var="OIDC_CLAIM_iss" -->
</dl></html>"""
GOODBYE = '<!DOCTYPE html><html lang="en"><title>Signed out</title><link rel="icon" href="data:,"><p id="goodbye">Signed out of the app</p></html>'

CONFIGURATION = """
ServerRoot "{root}"
ServerName localhost
Listen 127.0.0.1:{port}
PidFile "{root}/pid"
DefaultRuntimeDir "{root}"
Mutex "file:{root}" default
ErrorLog "{root}/error.log"
LogLevel warn auth_openidc:info
{load}
{user}
DocumentRoot "{root}/www"
DirectoryIndex index.html
TypesConfig /etc/mime.types
StartServers 1
ServerLimit 1
MinSpareThreads 1
MaxSpareThreads 8
ThreadsPerChild 8
MaxRequestWorkers 8

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
# The provider of a test speaks plain http on loopback.
OIDCSSLValidateServer Off
OIDCClientID "{client_id}"
OIDCClientSecret "{client_secret}"
OIDCRedirectURI {base_url}/protected/callback
OIDCCryptoPassphrase "only-for-this-test-run"
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCRemoteUserClaim preferred_username
OIDCProviderTokenEndpointAuth {token_endpoint_auth}

<Directory "{root}/www">
    Options +Includes
    Require all granted
</Directory>
<Location /protected>
    AuthType openid-connect
    Require valid-user
    SetOutputFilter INCLUDES
</Location>
"""


class ApacheMissing(Exception):
    """Apache or mod_auth_openidc is not installed."""


@dataclass
class Apache:
    """Use as a context manager. The addresses are known, and can be registered, before there is a client id."""

    issuer: str
    client_id: str = "not-registered-yet"
    client_secret: str = "not-registered-yet"
    token_endpoint_auth: str = "client_secret_basic"
    port: int = field(default_factory=free_port)
    _root: Path | None = None
    _process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def protected_url(self) -> str:
        return f"{self.base_url}/protected/"

    @property
    def redirect_uri(self) -> str:
        return f"{self.base_url}/protected/callback"

    @property
    def goodbye_url(self) -> str:
        """Where the app sends people who have signed out."""
        return f"{self.base_url}/goodbye.html"

    @property
    def log(self) -> str:
        log = self._root / "error.log" if self._root else None
        return log.read_text(errors="replace") if log and log.exists() else ""

    def __enter__(self) -> Self:
        self.write()
        command = self.command()
        self._process = subprocess.Popen(
            [*command, "-DFOREGROUND"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
                problem = f"Apache did not start:\n{checked.stderr}{self.log}"
                self.stop()
                raise RuntimeError(problem)
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def write(self) -> None:
        """Configuration and pages, in a directory that the user Apache runs as may read."""
        if missing := [name for name in LOADED if not (MODULES / f"mod_{name}.so").exists()]:
            raise ApacheMissing(
                f"no mod_{missing[0]}.so in {MODULES}: apt-get install apache2 libapache2-mod-auth-openidc"
            )
        self._root = Path(tempfile.mkdtemp(prefix="pocketid-apache-", dir="/tmp"))
        self._root.chmod(0o755)
        (self._root / "www" / "protected").mkdir(parents=True)
        (self._root / "www" / "protected" / "index.html").write_text(PAGE)
        (self._root / "www" / "goodbye.html").write_text(GOODBYE)
        values = {
            "root": self._root,
            "port": self.port,
            "base_url": self.base_url,
            "issuer": self.issuer,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "token_endpoint_auth": self.token_endpoint_auth,
            "load": "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in LOADED),
            # Apache does not serve as root; anybody else cannot change who they are.
            "user": "User www-data\nGroup www-data" if os.geteuid() == 0 else "",
        }
        (self._root / "apache.conf").write_text(CONFIGURATION.format(**values))

    def command(self) -> list[str]:
        found = shutil.which("apache2", path="/usr/sbin:" + os.environ.get("PATH", ""))
        if found is None:
            raise ApacheMissing("apt-get install apache2 libapache2-mod-auth-openidc")
        return [found, "-d", str(self._root), "-f", f"{self._root}/apache.conf"]

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(10)
            self._process = None
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)
            self._root = None

    def _answers(self) -> bool:
        try:
            return requests.get(self.goodbye_url, timeout=2).ok
        except requests.RequestException:
            return False
