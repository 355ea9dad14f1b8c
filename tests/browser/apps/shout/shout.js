const binding = Object.assign(new Shiny.OutputBinding(), {
  find: (scope) => $(scope).find(".shout"),
  renderValue: (el, value) => (el.textContent = value.toUpperCase()),
});
Shiny.outputBindings.register(binding, "shout");
