// The smallest host for npm xapi-statements: its own routes, service and presenter on 127.0.0.1, in memory, no auth lookup.
// It replaces the package's server.js only because that one listens on every address and wants a fixed port.

process.env.AUTH_REPO = 'test'
process.env.EVENTS_REPO = 'test'
process.env.MODELS_REPO = 'memory'
process.env.STORAGE_REPO = 'local'
process.env.WINSTON_CONSOLE_LEVEL = 'error'
process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1'

const root = 'xapi-statements/dist'
const express = require('express')
const config = require(`${root}/config`).default
const constants = require(`${root}/utils/constants`)
const presenter = require(`${root}/expressPresenter`).default({
  llClientInfoEndpoint: config.llClientInfoEndpoint,
  customRoute: config.express.customRoute,
  customRouteText: config.express.customRouteText,
  morganDirectory: config.express.morganDirectory,
  bodyParserLimit: config.express.bodyParserLimit,
  service: require(`${root}/serviceFactory`).default(),
  tracker: require(`${root}/tracker`).default,
  translator: require(`${root}/translatorFactory`).default(),
  logger: require(`${root}/logger`).default,
})

const app = express()
app.use(constants.statementsRoute, presenter.statementsRouter)
const server = app.listen(0, '127.0.0.1', () => {
  process.send({ url: `http://127.0.0.1:${server.address().port}${constants.statementsRoute}` })
})
process.on('disconnect', () => process.exit(0))
