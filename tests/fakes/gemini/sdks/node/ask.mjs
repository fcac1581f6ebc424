// Asks each of the servers on standard input once, all at the same time, and says what came.
import { GoogleGenAI } from '@google/genai';

async function ask({ url, key, model, prompt, stream, timeout, retry }) {
  const httpOptions = { baseUrl: url, timeout };
  if (retry) httpOptions.retryOptions = { jitter: 0 };
  const client = new GoogleGenAI({ apiKey: key, httpOptions });
  const texts = [];
  try {
    if (stream) {
      const events = await client.models.generateContentStream({ model, contents: prompt });
      for await (const event of events) texts.push(event.text ?? null);
    } else {
      const answer = await client.models.generateContent({ model, contents: prompt });
      texts.push(answer.text ?? null);
    }
  } catch (error) {
    return { texts, error: error.name, message: String(error.message).split('\n')[0].slice(0, 60) };
  }
  return { texts };
}

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const asked = JSON.parse(Buffer.concat(chunks).toString());
console.log(JSON.stringify(await Promise.all(asked.map(ask))));
process.exit(0); // whoever hangs has been given up
