/*
 * page.js - makes pages pleasant; all of them work without it.
 *
 * Nothing here changes what may be done: it ticks boxes, sends filters when
 * they change, counts, copies, and warns before typed text is lost.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
(function () {
	"use strict";

	document.documentElement.classList.remove("no-script");

	function all(selector, root) {
		return Array.prototype.slice.call(
		    (root || document).querySelectorAll(selector));
	}

	/* The keyboard is where something is wrong, or where it is said. */
	(function () {
		var fault = document.querySelector("[aria-invalid=true]") ||
		    document.getElementById("problem");
		var folded = fault && fault.closest("details");

		if (folded)
			folded.open = true;
		if (fault)
			fault.focus();
	}());

	/* Several ticked at once, with a live count. */
	all("form[data-bulk]").forEach(function (form) {
		var boxes = all("input[name=ids]", form);
		var every = form.querySelector("[data-every]");
		var count = form.querySelector("[data-count]");
		var last = null;

		function show() {
			var n = boxes.filter(function (box) {
				return box.checked;
			}).length;

			if (count)
				count.textContent =
				    count.getAttribute("data-count")
				    .replace("{n}", n);
			all("[data-needs-some]", form).forEach(
			    function (button) {
				button.disabled = n === 0;
			});
			if (every) {
				every.checked = n > 0 && n === boxes.length;
				every.indeterminate = n > 0 && n < boxes.length;
			}
		}

		if (every)
			every.addEventListener("change", function () {
				boxes.forEach(function (box) {
					box.checked = every.checked;
				});
				show();
			});
		boxes.forEach(function (box, i) {
			/* Shift and click takes all between. */
			box.addEventListener("click", function (event) {
				var from, to, k;

				if (event.shiftKey && last !== null) {
					from = Math.min(last, i);
					to = Math.max(last, i);
					for (k = from; k <= to; k++)
						boxes[k].checked = box.checked;
				}
				last = i;
				show();
			});
		});
		show();
	});

	/* Filters are sent when a choice is made. */
	all("form[data-filter] select, form[data-auto] select").forEach(
	    function (select) {
		select.addEventListener("change", function () {
			select.form.requestSubmit();
		});
	});

	/* Copy the text beside the button. */
	all("[data-copy]").forEach(function (button) {
		button.addEventListener("click", function () {
			var text = button.getAttribute("data-copy");
			var label = button.textContent;

			if (!navigator.clipboard)
				return;
			navigator.clipboard.writeText(text).then(function () {
				button.textContent =
				    button.getAttribute("data-done");
				setTimeout(function () {
					button.textContent = label;
				}, 1500);
			}, function () {
			});
		});
	});

	/* A form that was changed and not sent. */
	all("form[data-keep]").forEach(function (form) {
		var changed = false;

		form.addEventListener("input", function () {
			changed = true;
		});
		form.addEventListener("submit", function () {
			changed = false;
		});
		window.addEventListener("beforeunload", function (event) {
			if (changed)
				event.preventDefault();
		});
	});

	/* An option that gets a value is not inherited any more. */
	all(".setting").forEach(function (setting) {
		var inherit = setting.querySelector("[name^='inherit.']");
		var value = setting.querySelector("[name^='options.']");

		if (inherit && value)
			value.addEventListener("input", function () {
				inherit.checked = false;
			});
	});

	/* One question at a time, and Escape takes it away. */
	all("details.confirm").forEach(function (details) {
		details.addEventListener("toggle", function () {
			if (!details.open)
				return;
			all("details.confirm[open]").forEach(function (other) {
				if (other !== details)
					other.open = false;
			});
		});
		details.addEventListener("keydown", function (event) {
			if (event.key === "Escape" && details.open) {
				details.open = false;
				details.querySelector("summary").focus();
			}
		});
	});

	/* The menu of phones closes when something else is touched. */
	document.addEventListener("keydown", function (event) {
		var menu = document.getElementById("menu");

		if (event.key === "Escape" && menu && menu.checked) {
			menu.checked = false;
			menu.focus();
		}
	});
}());
