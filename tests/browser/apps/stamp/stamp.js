document.addEventListener("click", ({ target }) => {
  if (target.matches(".stamp")) target.textContent = "Stamped";
});
