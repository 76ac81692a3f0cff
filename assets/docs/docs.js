// Shows the camera's description of its API; "Try it out" asks this camera. Nothing is asked of anybody else, and a token
// that was entered is forgotten with the page.
globalThis.SwaggerUIBundle({
  dom_id: '#operations',
  url: '/api/v1/openapi.json',
  presets: [globalThis.SwaggerUIBundle.presets.apis],
  validatorUrl: null,
  persistAuthorization: false,
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
});
