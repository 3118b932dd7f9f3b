// The double's pages: login, sign-up, tasks, the connected file share.
const main = document.querySelector('main');
const cookie = name => document.cookie.split('; ').find(c => c.startsWith(name + '='))?.split('=')[1] ?? '';
const make = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
};

async function call(path, body) {
  const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': cookie('csrftoken') };
  const answer = await fetch('/api' + path, body ? { method: 'POST', headers, body: JSON.stringify(body) } : {});
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(JSON.stringify(json));
  return json;
}

function form(title, fields, button, path, next) {
  const error = make('p', { className: 'error' });
  const inputs = fields.map(name => make('input', { id: name, name, placeholder: name,
    type: name.startsWith('password') ? 'password' : 'text' }));
  const node = make('form', {}, make('h1', { textContent: title }), ...inputs,
    make('button', { type: 'submit', textContent: button }), error);
  node.onsubmit = async event => {
    event.preventDefault();
    try {
      await call(path, Object.fromEntries(new FormData(node)));
      location.href = next;
    } catch (problem) { error.textContent = problem.message; }
  };
  return node;
}

async function share() {
  const list = make('ul', { id: 'share' });
  const show = async (directory, into) => {
    for (const entry of await call('/server/share?directory=' + encodeURIComponent(directory))) {
      const item = make('li', { textContent: entry.name });
      into.append(item);
      if (entry.type === 'DIR') { const sub = make('ul'); item.append(sub); await show(directory + entry.name + '/', sub); }
    }
  };
  return show('/', list).then(() => list, problem => make('p', { className: 'error', textContent: problem.message }));
}

async function tasks() {
  const me = await call('/users/self');
  const rows = (await call('/tasks')).results;
  const list = make('ul', { id: 'tasks' }, ...rows.map(task => make('li', { textContent: `${task.name} (${task.size})` })));
  main.append(make('p', { id: 'me', textContent: `${me.username} (${me.groups.join(', ')})` }),
    make('h1', { textContent: rows.length ? 'Tasks' : 'No tasks' }), list,
    make('h2', { textContent: 'Connected file share' }));
  main.append(await share());
}

const pages = {
  '/auth/login': () => main.append(form('Sign in', ['username', 'password'], 'Sign in', '/auth/login', '/tasks'),
    make('a', { href: '/auth/register', textContent: 'Create an account' })),
  '/auth/register': () => main.append(
    form('Create an account', ['username', 'email', 'password1', 'password2'], 'Create account', '/auth/register', '/tasks')),
};
(pages[location.pathname] ?? (() => tasks().catch(() => { location.href = '/auth/login'; })))();
