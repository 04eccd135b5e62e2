import { Button } from '@mantine/core'
import {
  IconArrowsJoin, IconGridDots, IconMicrophone, IconMicrophoneOff, IconParking, IconPhoneOutgoing, IconPlayerPause, IconPlayerPlay, IconPlayerRecord, IconUserPlus,
  type Icon,
} from '@tabler/icons-react'
import type { Phone, PhoneCall } from './phone'
import { useShortcut } from './shortcut'

export type Panel = '' | 'keypad' | 'transfer' | 'add'

interface Props {
  call: PhoneCall
  phone: Phone
  panel: Panel
  onPanel: (p: Panel) => void
  known: boolean // the server knows the call, so that it can be asked to do things with it
  crowd: boolean // it is a conference, which nobody can pass on
  recording: string // '' = off, else on, paused, starting or announcing
  onPark: () => void
  onRecord: (how: 'start' | 'stop' | 'pause' | 'resume') => void
  mergeWith: string // name of the held call that could join, '' = none
  onMerge: () => void
}

// CallActions is what one can do with the call that one is in.
export function CallActions({ call, phone, panel, onPanel, known, crowd, recording, onPark, onRecord, mergeWith, onMerge }: Props) {
  const up = call.phase === 'up'
  const canKey = up || call.early
  const toggle = (p: Panel) => () => onPanel(panel === p ? '' : p)
  const hold = () => void (call.held ? phone.resume(call.id) : phone.hold(call.id))
  useShortcut('KeyM', () => up && phone.setMuted(call.id, !call.muted))
  useShortcut('KeyO', () => up && hold())
  useShortcut('KeyT', () => up && known && !crowd && onPanel('transfer'))
  return (
    <div className="actions" role="group" aria-label="Actions">
      <Action icon={call.muted ? IconMicrophoneOff : IconMicrophone} text={call.muted ? 'Muted' : 'Mute'} on={call.muted} disabled={!up} keys="M" onClick={() => phone.setMuted(call.id, !call.muted)} id="mute" />
      <Action icon={IconGridDots} text="Keypad" on={panel === 'keypad'} expands disabled={!canKey} onClick={toggle('keypad')} id="keypad" />
      <Action icon={call.held ? IconPlayerPlay : IconPlayerPause} text={call.held ? 'Resume' : 'Hold'} on={call.held} renamed disabled={!up} keys="O" onClick={hold} id="hold" />
      <Action icon={IconPhoneOutgoing} text="Transfer" on={panel === 'transfer'} expands disabled={!up || !known || crowd} keys="T" onClick={toggle('transfer')} id="transfer" />
      {mergeWith ? (
        <Action icon={IconArrowsJoin} text="Merge" label={`Merge with the call with ${mergeWith}`} disabled={!up || !known} onClick={onMerge} id="merge" />
      ) : (
        <Action icon={IconUserPlus} text="Add call" on={panel === 'add'} expands disabled={!up || !known} onClick={toggle('add')} id="add" />
      )}
      <Action icon={IconParking} text="Park" disabled={!up || !known || crowd} onClick={onPark} id="park" />
      <Action
        icon={IconPlayerRecord} text={recording ? 'Recording' : 'Record'} label={recording ? 'Stop recording' : 'Record the call'} on={recording !== ''} renamed disabled={!up || !known}
        onClick={() => onRecord(recording ? 'stop' : 'start')} id="record"
      />
      {(recording === 'on' || recording === 'paused') && (
        <Action
          icon={recording === 'paused' ? IconPlayerPlay : IconPlayerPause} text={recording === 'paused' ? 'Go on' : 'Pause'} label={recording === 'paused' ? 'Go on recording' : 'Pause the recording'}
          on={recording === 'paused'} renamed disabled={!up || !known} onClick={() => onRecord(recording === 'paused' ? 'resume' : 'pause')} id="record-pause"
        />
      )}
    </div>
  )
}

interface ActionProps {
  icon: Icon
  text: string
  label?: string
  on?: boolean
  expands?: boolean // opens something below
  renamed?: boolean // its name says the state already, so it is no pressed key to screen readers
  disabled: boolean
  keys?: string // with Alt
  onClick: () => void
  id: string
}

function Action({ icon: Sign, text, label, on, expands, renamed, disabled, keys, onClick, id }: ActionProps) {
  return (
    <Button
      className="action" variant={on ? 'filled' : 'default'} disabled={disabled} onClick={onClick} data-testid={`call-${id}`} data-on={on === true}
      {...(label ? { 'aria-label': label } : {})}
      {...(on === undefined || renamed ? {} : expands ? { 'aria-expanded': on } : { 'aria-pressed': on })}
      {...(keys ? { 'aria-keyshortcuts': `Alt+${keys}`, title: `Alt+${keys}` } : {})}
    >
      <Sign size={20} aria-hidden />
      {text}
    </Button>
  )
}
