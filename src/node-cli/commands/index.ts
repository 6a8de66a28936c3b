import type { CommandClass } from 'clipanion'
import type { CliContext } from '../context.ts'
import { CacheClearCommand, CacheCollectCommand, CacheInfoCommand } from './cache.ts'
import { ConfigEditCommand, ConfigGetCommand, ConfigPathCommand, ConfigResetCommand, ConfigSetCommand, ConfigShowCommand, ConfigValidateCommand } from './config.ts'
import { InfoCommand } from './info.ts'
import { KeyExportCommand, KeyImportCommand, KeyShowCommand } from './key.ts'
import { BootstrapCommand, ConnectCommand, DisconnectCommand, PeersCommand, StatusCommand, StopCommand } from './node.ts'
import { InstallCommand, ListCommand, UninstallCommand, VerifyCommand } from './project.ts'
import { PublishCommand } from './publish.ts'
import { P2pSearchCommand, SearchCommand } from './search.ts'
import { StartCommand } from './start.ts'

export const commands: CommandClass<CliContext>[] = [
  StartCommand,
  StatusCommand,
  StopCommand,
  ConnectCommand,
  DisconnectCommand,
  PeersCommand,
  BootstrapCommand,
  ConfigShowCommand,
  ConfigGetCommand,
  ConfigSetCommand,
  ConfigEditCommand,
  ConfigResetCommand,
  ConfigValidateCommand,
  ConfigPathCommand,
  SearchCommand,
  P2pSearchCommand,
  InfoCommand,
  PublishCommand,
  InstallCommand,
  UninstallCommand,
  ListCommand,
  VerifyCommand,
  KeyShowCommand,
  KeyExportCommand,
  KeyImportCommand,
  CacheInfoCommand,
  CacheCollectCommand,
  CacheClearCommand,
]
