/* Twilio's own client library, doing to the stand-in what one does to Twilio.
 *
 * usage: node library.js     (NODE_PATH names the folder where the library is)
 * Each line of standard input is {"base": URL, "account", "user", "secret", "step", "arguments": [...]}; for each comes a
 * line {"result": ...} or {"error": text}.
 *
 * The library builds every request, sends it and parses every answer itself; only the host is another one.
 */
"use strict";

const readline = require("node:readline");
const twilio = require("twilio");
const { RequestClient } = twilio;
const { getExpectedTwilioSignature } = require("twilio/lib/webhooks/webhooks");

class ElsewhereClient extends RequestClient {
	constructor(base) {
		super();
		this.base = base;
	}

	request(options) {
		const address = new URL(options.uri);
		if (address.origin !== "https://api.twilio.com")
			throw new Error(`not Twilio's API: ${address.origin}`);
		return super.request({ ...options, uri: this.base + options.uri.slice(address.origin.length) });
	}
}

/* What a resource is, with its types: dates that the library could not read become "Invalid Date". */
function plain(resource) {
	const found = {};
	for (const [name, value] of Object.entries(resource)) {
		if (!name.startsWith("_"))
			found[name] = value instanceof Date ? { date: String(value) === "Invalid Date" ? null : value.getTime() / 1000 } : value;
	}
	return found;
}

async function refused(promise) {
	try {
		return { answer: await promise };
	} catch (error) {
		return { status: error.status, code: error.code, message: error.message, moreInfo: error.moreInfo };
	}
}

/* Moments come as ISO 8601; the library takes them as Date. */
function filters(given) {
	return Object.fromEntries(Object.entries(given ?? {}).map(([name, value]) =>
		[name, /^\d{4}-\d\d-\d\dT.*Z$/.test(value) ? new Date(value) : value]));
}

const steps = {
	"sign": async (_, token, url, fields) => getExpectedTwilioSignature(token, url, fields),
	"list-recordings": async (client, given) => (await client.recordings.list(filters(given))).map(plain),
	"list-calls": async (client, given) => (await client.calls.list(filters(given))).map(plain),
	"list-numbers": async (client, given) => (await client.incomingPhoneNumbers.list(filters(given))).map(plain),
	"list-call-recordings": async (client, sid) => (await client.calls(sid).recordings.list()).map(plain),
	"fetch-recording": async (client, sid) => refused(client.recordings(sid).fetch().then(plain)),
	"fetch-recording-with-deleted": async (client, sid) =>
		refused(client.recordings(sid).fetch({ includeSoftDeleted: true }).then(plain)),
	"fetch-call": async (client, sid) => refused(client.calls(sid).fetch().then(plain)),
	"remove-recording": async (client, sid) => refused(client.recordings(sid).remove()),
	"remove-call": async (client, sid) => refused(client.calls(sid).remove()),
	"fetch-account": async (client) => refused(client.api.v2010.accounts(client.accountSid).fetch().then(plain)),

	/* Forward by getNextPage to the end, and back again by getPreviousPage. */
	"pages": async (client, what, size) => {
		const list = client[what];
		const forward = [], back = [];
		let page = await list.page({ pageSize: size }), last;
		while (page) {
			forward.push(page.instances.map((item) => item.sid));
			last = page;
			page = await page.nextPage();
		}
		page = last;
		while (page) {
			back.push(page.instances.map((item) => item.sid));
			page = await page.previousPage();
		}
		return { forward, back };
	},

	/* List everything first, delete afterwards. */
	"delete-all": async (client, given) => {
		const found = await client.recordings.list(filters(given));
		const answers = [];
		for (const item of found)
			answers.push({ sid: item.sid, ...(await refused(item.remove())) });
		return answers;
	},
};

async function answer(line) {
	const { base, account, user, secret, step, arguments: given } = JSON.parse(line);
	const client = twilio(user, secret, { accountSid: account, httpClient: new ElsewhereClient(base) });
	try {
		return { result: (await steps[step](client, ...given)) ?? null };
	} catch (error) {
		return { error: `${error.status ?? ""} ${error.code ?? ""} ${error.message}` };
	}
}

(async () => {
	for await (const line of readline.createInterface({ input: process.stdin }))
		console.log(JSON.stringify(await answer(line)));
})();
