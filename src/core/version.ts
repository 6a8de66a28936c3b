/** Of this package; a test holds it equal to package.json, which browsers need not carry. */
export const version = '0.1.0'
