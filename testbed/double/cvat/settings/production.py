"""Settings of the double: the names that overlays and environments of CVAT use."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from cvat.line import has

BASE_DIR = Path(os.environ.get("CVAT_BASE_DIR", "/home/django"))
SHARE_ROOT = BASE_DIR / "share"
DATA_ROOT = BASE_DIR / "data"


def _secret_key():
    """From the environment, else made once in the keys volume."""
    if os.environ.get("DJANGO_SECRET_KEY"):
        return os.environ["DJANGO_SECRET_KEY"]
    file = BASE_DIR / "keys" / "secret_key.py"
    if not file.exists():
        file.write_text(f"SECRET_KEY = {secrets.token_urlsafe(38)!r}\n")
    return file.read_text().split("=", 1)[1].strip().strip("'\"")


def _database_password():
    plain, file = os.environ.get("CVAT_POSTGRES_PASSWORD"), os.environ.get("CVAT_POSTGRES_PASSWORD_FILE")
    if plain and file:
        raise ImproperlyConfigured(
            "CVAT_POSTGRES_PASSWORD and CVAT_POSTGRES_PASSWORD_FILE exclude each other"
        )
    return Path(file).read_text().rstrip("\n") if file else plain or ""


def _redis_url(kind, default_port, database):
    host = os.environ.get(f"CVAT_REDIS_{kind}_HOST", "localhost")
    port = os.environ.get(f"CVAT_REDIS_{kind}_PORT", default_port)
    password = os.environ.get(f"CVAT_REDIS_{kind}_PASSWORD", "")
    return (
        f"redis://:{password}@{host}:{port}/{database}" if password else f"redis://{host}:{port}/{database}"
    )


SECRET_KEY = _secret_key()
DEBUG = False
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1").split(",")
USE_X_FORWARDED_HOST = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
OPA_URL = os.environ.get("CVAT_OPA_URL", "http://opa:8181")
HEALTH_DISK_USAGE_MAX = int(os.environ.get("CVAT_HEALTH_DISK_USAGE_MAX", "90"))
IAM_DEFAULT_ROLE = "user"
IAM_ROLES = ("admin", "user", "worker")
REST_AUTH = {}
SITE_ID = 1
EMAIL_BACKEND = None
ACCOUNT_EMAIL_VERIFICATION = "none"
RQ_URL = _redis_url("INMEM", "6379", 0)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _redis_url("INMEM", "6379", 1),
    },
    "media": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _redis_url("ONDISK", "6666", 0),
    },
}
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ.get("CVAT_POSTGRES_HOST", "cvat_db"),
        "PORT": os.environ.get("CVAT_POSTGRES_PORT", "5432"),
        "NAME": os.environ.get("CVAT_POSTGRES_DBNAME", "cvat"),
        "USER": os.environ.get("CVAT_POSTGRES_USER", "root"),
        "PASSWORD": _database_password(),
        "OPTIONS": {"options": "-c lock_timeout=10000", "connect_timeout": 3},
    }
}
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "django.contrib.sites",
    "cvat.apps.iam",
    "cvat.apps.organizations",
    "cvat.apps.engine",
    "cvat.apps.quality_control",
    *(["cvat.apps.growth"] if has("growth") else []),
]
AUTH_USER_MODEL = "iam.User" if has("own_user") else "auth.User"
GITHUB_STAR_PROMPT_POLICY = "cvat.apps.growth.policies.EnabledGitHubStarPromptPolicy"
EXPORT_RETRY_SECONDS = int(os.environ.get("CVAT_EXPORT_JOB_RETRY_INTERVALS", "60").split(",")[0])
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
_VALIDATORS = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATORS}.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework.authentication.BasicAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "cvat.apps.iam.permissions.OpaAnswers",
    ],
    "DEFAULT_RENDERER_CLASSES": ["cvat.apps.engine.negotiation.CvatRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "cvat.apps.engine.negotiation.CvatNegotiation",
    "URL_FORMAT_OVERRIDE": "scheme",  # "format" is an export's
}
ROOT_URLCONF = "cvat.urls"
STATIC_URL = "/static/"
STATIC_ROOT = Path("/home/django/static")
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_AUTOREFRESH = True  # what is gathered late is found, as by nginx
WHITENOISE_USE_FINDERS = False
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
TIME_ZONE = os.environ.get("TZ", "Etc/UTC")
USE_TZ = True
