#!/usr/bin/env node
import { launch } from './launch.js'

await launch('ggen-relay', '../dist/relay/main.js')
