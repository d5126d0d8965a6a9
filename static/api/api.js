/** The browsable interface description: Swagger UI on this server's own OpenAPI document. */

import "../shared/header.js";

/** Global of the bundle that the page loads before this module. @type {(options: object) => void} */
const SwaggerUIBundle = Reflect.get(window, "SwaggerUIBundle");

SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#main",
  deepLinking: true,
  tryItOutEnabled: false,
  validatorUrl: null,
});
