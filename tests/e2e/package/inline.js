// Runs a stack's program in this process, by Pulumi's Automation API: node inline.js STACK VERB
const { LocalWorkspace } = require("@pulumi/pulumi/automation");

async function main([stackName, verb]) {
  const program = async () => require("./bin/index.js");
  const settings = { stackName, projectName: "typescript-stack", program };
  const stack = await LocalWorkspace.createOrSelectStack(settings, { workDir: __dirname });
  await stack[verb]({ onOutput: console.log });
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
