import { html, render } from "lit";
import "../shared/header.js";
import { me } from "../shared/me.js";
import "./home.js";
import "./room.js";

const room = /^\/studio\/(room_\w+)$/.exec(location.pathname)?.[1];
const page = /** @type {HTMLElement} */ (document.querySelector("main"));

const { account } = await me();
if (!account) location.replace(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
else render(room ? html`<studio-room room=${room}></studio-room>` : html`<studio-home></studio-home>`, page);
