// Swagger UI, with nothing of it that would ask another host.
const place = document.getElementById("api");

globalThis.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.document,
  presets: [globalThis.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  filter: true,
  showCommonExtensions: true,
  tryItOutEnabled: false,
  validatorUrl: null,
});
