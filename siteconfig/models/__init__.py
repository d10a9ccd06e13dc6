from siteconfig.models.configuration import SiteConfiguration, current, fix_by, is_fixed, stored
from siteconfig.models.image import Image
from siteconfig.models.rate_bucket import RateBucket

__all__ = ("Image", "RateBucket", "SiteConfiguration", "current", "fix_by", "is_fixed", "stored")
