// Demo mode, login page: one press fills in a demo login. Without a script people type it.

const email = document.querySelector("input[name=login]");
const password = document.querySelector("input[name=password]");

if (email && password) {
  for (const button of document.querySelectorAll("[data-demo-login]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      email.value = button.dataset.demoLogin;
      password.value = button.dataset.demoPassword;
      password.form.querySelector("[type=submit]").focus();
    });
  }
}
