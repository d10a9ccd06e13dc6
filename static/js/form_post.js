// Carries an authorization response to the app (OAuth 2.0 Form Post Response Mode).
// The prototype's submit: a field named "submit" would hide the form's own.
HTMLFormElement.prototype.submit.call(document.getElementById("form-post"));
