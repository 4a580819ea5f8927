"""The headers that every answer carries, and the longer-lived ones of published and secret pages."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

ALWAYS = (
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()"),
)
HSTS = ("strict-transport-security", "max-age=31536000; includeSubDomains")
"""Under https; without the second part where HSTS_SUBDOMAINS says that other hosts below this name speak http."""

PUBLISHED = "public, max-age=0, must-revalidate"
SECRET = "private, no-store"  # noqa: S105 - a header, not a password
FOR_EVER = "public, max-age=31536000, immutable"
FEED = "public, max-age=300"
OWN_FEED = "private, max-age=300"
