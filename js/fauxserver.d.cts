// What `require("fauxserver")` gives: the server itself.

import types = require("./fauxserver.js")

declare const fauxServer: types.FauxServer

declare namespace fauxServer {
  export type APIAdapter = types.APIAdapter
  export type APIAdapterSettings = types.APIAdapterSettings
  export type APIError = types.APIError
  export type Answer = types.Answer
  export type Answered = types.Answered
  export type CallOptions = types.CallOptions
  export type CallScope = types.CallScope
  export type Callback = types.Callback
  export type Callbacks = types.Callbacks
  export type Context = types.Context
  export type DataStore = types.DataStore
  export type Fault = types.Fault
  export type Faux = types.Faux
  export type FauxServer = types.FauxServer
  export type Handler = types.Handler
  export type Happenings = types.Happenings
  export type Intercepted = types.Intercepted
  export type LocalAnswer = types.LocalAnswer
  export type Route = types.Route
  export type RouteDefinition = types.RouteDefinition
  export type Surroundings = types.Surroundings
  export type Transport = types.Transport
  export type TransportFactory = types.TransportFactory
  export type UnmatchedPolicy = types.UnmatchedPolicy
}

export = fauxServer
