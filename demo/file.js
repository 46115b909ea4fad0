// The route file as it lies on the disk, for the editor.

window.routeFile = fetch("routes.py", { cache: "no-cache" }).then(response => response.text())
