// The page of the sample lesson, and its script (lesson-script.js), which speaks to xAPI as any content would: with what stands in its
// address, and nothing else. Knows no launches.

import { html } from 'hono/html'
import { renderPage } from '../page.ts'
import type { Html, PageAnswer } from '../page.ts'

/** `baseUrl`: where xAPI is, whichever name of the host this page was opened by. */
export function lessonPage(baseUrl: string): PageAnswer {
  return renderPage({
    title: 'A lesson on keys',
    body: lesson,
    script: 'lesson-script.js',
    connectsTo: [new URL(baseUrl).origin],
  })
}

function question(name: string, asked: string, right: string, wrong: string): Html {
  return html`<fieldset>
    <legend>${asked}</legend>
    <label><input type="radio" name="${name}" value="a" /> ${wrong}</label>
    <label><input type="radio" name="${name}" value="b" data-right /> ${right}</label>
  </fieldset>`
}

const lesson = html`<h1>A lesson on keys</h1>
  <p role="status"></p>
  <div id="lesson" hidden>
    <progress max="3" value="0" aria-label="How far you are"></progress>
    <section hidden>
      <h2 tabindex="-1">A key of its own</h2>
      <p>Hello, <strong id="learner"></strong>.</p>
      <p>
        When you opened this lesson, it was given a key: to the Learning Record Store, where it writes down what you do
        here. The key was made for this moment.
      </p>
    </section>
    <section hidden>
      <h2 tabindex="-1">What it opens</h2>
      <p>
        The key speaks of you, of this lesson, and of this one time you take it. It cannot read what others did, nor
        write in their names. When you close the lesson, it opens nothing any more.
      </p>
    </section>
    <section hidden>
      <h2 tabindex="-1">Two questions</h2>
      <form>
        ${question(
          'whose',
          'Whose results may this lesson write down?',
          'Mine, in this lesson',
          'Anybody’s who takes it',
        )}
        ${question(
          'until',
          'How long does its key live?',
          'Until the lesson is closed, or forgotten',
          'Until somebody changes it',
        )}
      </form>
    </section>
    <section hidden>
      <h2 tabindex="-1">Done</h2>
      <p>Your score: <strong id="score"></strong>.</p>
    </section>
    <p>
      <button id="back" hidden>Back</button>
      <button id="next" hidden>Next</button>
      <button id="finish" hidden>Finish</button>
      <button id="close" hidden>Close the lesson</button>
    </p>
  </div>`
