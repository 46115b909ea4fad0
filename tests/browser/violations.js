// A violation of the page's Content-Security-Policy is an error on Chromium's console; elsewhere too, with this.
document.addEventListener("securitypolicyviolation", ({ blockedURI, violatedDirective }) => {
  console.error(`Content Security Policy: refused ${blockedURI} by ${violatedDirective}`)
})
