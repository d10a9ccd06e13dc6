from siteconfig.models.configuration import SiteConfiguration, current, stored
from siteconfig.models.image import Image
from siteconfig.models.rate_bucket import RateBucket

__all__ = ("Image", "RateBucket", "SiteConfiguration", "current", "stored")
