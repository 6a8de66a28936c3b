/**
 * Headers for the explorer's page, whoever serves it. Everything it loads comes from where it came from, nothing inline runs, and only code that vouches for it may make markup or name scripts. Connections go
 * anywhere: to whichever peer has a package.
 */
export const explorerHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",
    'connect-src *',
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    // Those of the templates, of what cleans READMEs, and of the page, which starts its service worker.
    'trusted-types lit-html dompurify ggen-worker',
  ].join('; '),
  // Nothing here asks for them. The microphone is not on the list: Chromium takes the permission for it as one to tell peers this device's own addresses.
  'permissions-policy':
    'camera=(), display-capture=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), publickey-credentials-get=()',
  'cross-origin-opener-policy': 'same-origin',
  // Its elements may be used in anybody's page.
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
}
